"""`python -m local.icons`: draws the web app's touch icon, its icons for home screens and its social preview.

The files are part of the repository, in `frontend/public/`. Draw them again after a change of `favicon.svg`.
"""

import sys

from playwright.sync_api import Browser

from local.chromium import HOW_TO_GET, find_chromium, launch
from local.deployment import ROOT

PUBLIC = ROOT / "frontend" / "public"
ICON = """<style>
  body {{ margin: 0; background: #b3431c }}
  svg {{ display: block; width: {size}px }}
</style>{svg}"""
PREVIEW = """<style>
  body {{
    display: grid; grid-template-columns: auto 1fr; align-items: center; gap: 72px;
    height: 630px; margin: 0; padding: 0 96px; box-sizing: border-box;
    background: #faf8f6; color: #241d18; font-family: sans-serif;
  }}
  svg {{ width: 240px }}
  h1 {{ margin: 0; font-size: 112px }}
  p {{ margin: 16px 0 0; font-size: 44px; line-height: 1.35 }}
</style>
{svg}
<div><h1>Calo</h1><p>Ask for a photo of anything. It arrives here live, in every open window.</p></div>"""


def main() -> int:
    """Return the exit status."""
    chromium = find_chromium()
    if chromium is None:
        print(HOW_TO_GET, file=sys.stderr)
        return 1
    svg = (PUBLIC / "favicon.svg").read_text()
    with launch(chromium) as browser:
        for name, size in {"touch-icon": 180, "icon-192": 192, "icon-512": 512}.items():
            _draw(browser, name, ICON.format(size=size, svg=svg), size, size)
        _draw(browser, "preview", PREVIEW.format(svg=svg), 1200, 630)
    return 0


def _draw(browser: Browser, name: str, html: str, width: int, height: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_content(html)
    page.screenshot(path=PUBLIC / f"{name}.png")
    page.close()


if __name__ == "__main__":
    sys.exit(main())
