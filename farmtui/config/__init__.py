"""The config: pydantic models whose fields say what they mean, a loader whose errors name the place, a JSON schema."""

from farmtui.config.fields import ApiHost, ConfigPath, Seconds, SecretRef, Section, Url, header_value, section_in
from farmtui.config.loading import CONFIG_ENV, ConfigError, config_paths, find_config, load_config, parse_config
from farmtui.config.remote import CephConfig, GlusterConfig, SshConfig, SwarmConfig, VarnishConfig, VarnishHost
from farmtui.config.sections import (
    AlertmanagerConfig,
    Auth,
    DigitalOceanConfig,
    FarmConfig,
    HttpSource,
    JournalConfig,
    NodeConfig,
    PrometheusConfig,
    ProxmoxConfig,
    RolesConfig,
    RunbooksConfig,
    TierConfig,
    UiConfig,
)
from farmtui.config.whole import Config, schema

__all__ = [
    "CONFIG_ENV",
    "AlertmanagerConfig",
    "ApiHost",
    "Auth",
    "CephConfig",
    "Config",
    "ConfigError",
    "ConfigPath",
    "DigitalOceanConfig",
    "FarmConfig",
    "GlusterConfig",
    "HttpSource",
    "JournalConfig",
    "NodeConfig",
    "PrometheusConfig",
    "ProxmoxConfig",
    "RolesConfig",
    "RunbooksConfig",
    "Seconds",
    "SecretRef",
    "Section",
    "SshConfig",
    "SwarmConfig",
    "TierConfig",
    "UiConfig",
    "Url",
    "VarnishConfig",
    "VarnishHost",
    "config_paths",
    "find_config",
    "header_value",
    "load_config",
    "parse_config",
    "schema",
    "section_in",
]
