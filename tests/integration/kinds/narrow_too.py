"""Spend the same small budget."""

from dataclasses import replace

from kinds.narrow import KIND as NARROW_KIND

KIND = replace(NARROW_KIND, name="narrow_too")
