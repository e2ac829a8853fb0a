"""All kinds of input."""

from tests.campaigns import config_cases, data_kinds, run_kinds, weight_kinds
from tests.campaigns.config_cases import ConfigCase
from tests.campaigns.kinds import Kind

KINDS: dict[str, Kind] = data_kinds.KINDS | run_kinds.KINDS | weight_kinds.KINDS
"""Inputs in files."""

CONFIGS: dict[str, ConfigCase] = config_cases.CONFIGS
"""Configs."""
