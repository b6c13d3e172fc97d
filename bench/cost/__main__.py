"""Print the monthly cost of a deployment: `python -m bench.cost --jobs-per-day N --viewers N`."""

import argparse
import sys

from bench.cost import SIZES, Load, cost


def main(arguments: list[str]) -> None:
    """Print the cost of the load that the arguments describe."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        load = Load(
            options.jobs_per_day,
            options.viewers,
            watch_feed=options.watch == "feed",
            stored_images=options.images == "cdn",
            live=options.live == "true",
            sign_in=options.sign_in == "true",
            size=SIZES[options.size],
        )
    except ValueError as error:
        parser.error(str(error))
    _print(load)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.cost",
        description="Compute the monthly cost of a deployment by service. docs/cost.md explains the model.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--jobs-per-day", type=float, default=0, help="jobs created per day")
    parser.add_argument("--viewers", type=float, default=0, help="viewers connected all the time")
    parser.add_argument(
        "--watch",
        choices=("feed", "own"),
        default="feed",
        help="whether a viewer receives every job or its own",
    )
    parser.add_argument("--images", choices=("cdn", "hotlink"), default="cdn", help="the setting `images`")
    parser.add_argument("--live", choices=("true", "false"), default="true", help="the setting `live`")
    parser.add_argument("--sign-in", choices=("true", "false"), default="false", help="with `auth`")
    parser.add_argument("--size", choices=SIZES, default="standard", help="the setting `size`")
    return parser


def _print(load: Load) -> None:
    costs = cost(load)
    print(f"{load.jobs:,.0f} jobs per month, {load.viewers:,.0f} viewers, {load.tasks} relay tasks")
    print("USD per month, list prices without free tiers\n")
    for service, dollars in costs.items():
        print(f"  {service:20}{dollars:14,.2f}")
    print(f"  {'total':20}{sum(costs.values()):14,.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
