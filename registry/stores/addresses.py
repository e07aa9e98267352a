"""Resolves a reference or a registry URL to a store, a model name and a version."""

from dataclasses import replace

from paracosm.foundation.credentials.redaction import redact, redact_url
from paracosm.foundation.credentials.references import resolve
from paracosm.foundation.errors import PluginError, RegistryError
from paracosm.foundation.plugins import load_plugins
from paracosm.foundation.suggestions import did_you_mean
from paracosm.registry.stores import hub, local_folder, mlflow_server
from paracosm.registry.stores.store import Address, StoreFactory
from paracosm.registry.versions.names import checked_name

STORES = (local_folder.FACTORY, hub.FACTORY, mlflow_server.FACTORY)
GROUP = "paracosm.stores"
"""Entry-point group in which other packages declare a `StoreFactory`."""
DEFAULT_STORE = "paracosm-registry"
PATH_SCHEME = "file"
"""Scheme of a URL without a scheme: such a URL is the path of a folder."""


def address(reference: str | None, *, url: str | None = None) -> Address:
    """Return the address of a reference: `NAME`, `NAME@v3`, `NAME@stable`, or a URL that may end in one of these.

    References such as `${REGISTRY_PASSWORD}` in a URL are replaced by the environment variables of these names.

    Args:
        reference: a name in the registry at `url`, or a URL with a host; None stands for the registry alone.
        url: the registry; the folder `./paracosm-registry` by default.

    Raises:
        RegistryError: the URL is not a registry URL, or the name is not a model name.
        PluginError: a store of another package cannot be loaded, or its scheme is taken.
    """
    if reference is not None and "://" in reference:
        if url is not None:
            raise RegistryError(
                f"{redact_url(reference)}: already names its registry; remove --url {redact_url(url)}"
            )
        return _opened(reference)
    registry = _opened(url or DEFAULT_STORE)
    if reference is None:
        return registry
    name, at_sign, version = reference.partition("@")
    if at_sign and not version:
        raise RegistryError(f"{reference}: the version after the @ is missing")
    checked_name(name)
    if registry.name is not None and registry.name != name:
        raise RegistryError(f"{redact_url(url or '')}: is the registry of {registry.name!r}, not of {name!r}")
    return replace(registry, name=name, version=version or None)


def factories() -> dict[str, StoreFactory]:
    """Return the store factory of every URL scheme: those of Paracosm, then those of installed plug-ins.

    Raises:
        PluginError: a plug-in cannot be loaded, or declares a scheme that is taken.
    """
    table = {scheme: factory for factory in STORES for scheme in factory.schemes}
    origins = dict.fromkeys(table, "Paracosm")
    for plugin in load_plugins(GROUP, StoreFactory):
        for scheme in plugin.value.schemes:
            if scheme in table:
                raise PluginError(
                    f"{plugin.origin}: declares the URL scheme {scheme!r}, which belongs to {origins[scheme]}; uninstall one of them"
                )
            table[scheme], origins[scheme] = plugin.value, plugin.origin
    return table


def _opened(url: str) -> Address:
    resolved = resolve(url, "the registry URL", RegistryError)
    with resolved.hiding(RegistryError):
        return _open(resolved.text)


def _open(url: str) -> Address:
    table, scheme, shown = factories(), _scheme(url), redact_url(url)
    factory = table.get(scheme)
    if factory is None:
        forms = " or ".join(dict.fromkeys(known.form for known in table.values()))
        raise RegistryError(f"{shown}: is not a registry URL; allowed: {forms}{did_you_mean(scheme, table)}")
    try:
        return factory.open(url)
    except RegistryError as error:
        raise RegistryError(redact(str(error), url)) from None
    except ValueError as error:
        raise RegistryError(
            f"{shown}: is not a registry URL ({redact(str(error), url)}); allowed: {factory.form}"
        ) from None


def _scheme(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    drive = len(scheme) == 1 and rest[:1] in ("/", "\\")
    return PATH_SCHEME if not colon or "/" in scheme or drive else scheme
