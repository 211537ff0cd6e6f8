"""SSH as a way to a source: what sources that ask on the machines themselves may count on."""

from farmtui.sources.ssh.remote import OUTPUT_LIMIT_BYTES, Done, Remote

__all__ = ["OUTPUT_LIMIT_BYTES", "Done", "Remote"]
