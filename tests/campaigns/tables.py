"""All kinds of input."""

from tests.campaigns import config_cases, data_kinds, run_kinds, tfds_kind, weight_kinds
from tests.campaigns.config_cases import ConfigCase
from tests.campaigns.kinds import Kind

KINDS: dict[str, Kind] = data_kinds.KINDS | run_kinds.KINDS | weight_kinds.KINDS | tfds_kind.KINDS
"""Inputs in files."""

CONFIGS: dict[str, ConfigCase] = config_cases.CONFIGS
"""Configs."""
