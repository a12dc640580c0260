"""``cachery doctor``: what is installed and which settings are in force."""

from __future__ import annotations

from cachery.cli.diagnosis import ConfigFile, Diagnosis, ExtraState, NamedCache, Setting, diagnose
from cachery.cli.printing import print_json
from cachery.cli.screen import Cell, Screen, marked

__all__ = ["show_diagnosis"]


def show_diagnosis(*, as_json: bool = False) -> bool:
    """Print the diagnosis of this installation; True when nothing is wrong."""
    diagnosis = diagnose()
    if as_json:
        print_json(diagnosis.to_dict())
    else:
        _show(Screen(), diagnosis)
    return not diagnosis.errors


def _show(screen: Screen, diagnosis: Diagnosis) -> None:
    screen.line(f"cachery {diagnosis.version}, {diagnosis.python}", "bold")
    screen.line(f"{diagnosis.mode}: {diagnosis.mode_meaning}")
    if diagnosis.how_to_compile is not None:
        screen.line(f"to have it compiled, {diagnosis.how_to_compile}")
    screen.line()
    screen.table("Extras", ["extra", "for", "modules", "state"], map(_extra_row, diagnosis.extras))
    columns = ["variable", "value", "default", "from", "meaning"]
    screen.table("Settings in force", columns, map(_setting_row, diagnosis.settings), are_names_whole=True)
    _show_config(screen, diagnosis.config)
    for error in diagnosis.errors:
        screen.line(f"error: {error}", "bold red")
    screen.line(diagnosis.default_ttl)


def _show_config(screen: Screen, config: ConfigFile) -> None:
    if config.file is None:
        screen.line("No settings file: neither CACHERY_CONFIG, nor cachery.toml or [tool.cachery] from here up.")
        return
    readers = "get_cache and the command line" if config.is_named else "the command line; get_cache by CACHERY_CONFIG"
    screen.line(f"Settings file: {config.file}, for {readers}")
    if config.caches:
        screen.table("Caches of the settings file", ["name", "backend", "options"], map(_cache_row, config.caches))


def _cache_row(cache: NamedCache) -> list[Cell]:
    options = ", ".join(f"{name}={value}" for name, value in cache.options.items())
    return [cache.name, cache.backend, options]


def _extra_row(extra: ExtraState) -> list[Cell]:
    modules = ", ".join(module if is_found else f"{module} (missing)" for module, is_found in extra.modules.items())
    state = marked("present", "green") if extra.is_present else marked(f"missing: {extra.install_command}", "yellow")
    return [extra.name, extra.purpose, modules, state]


def _setting_row(setting: Setting) -> list[Cell]:
    value = str(setting.value) if setting.error is None else marked("unreadable", "bold red")
    origin = "environment" if setting.is_from_environment else "default"
    return [setting.name, value, str(setting.default), origin, setting.meaning]
