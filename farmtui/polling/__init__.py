"""Polling: a coordinator per source, and the feed that makes one Farm of what they say."""

from farmtui.polling.assemble import assemble
from farmtui.polling.build import build_sources, ssh_hosts
from farmtui.polling.clock import Clock, SystemClock
from farmtui.polling.coordinator import Coordinator
from farmtui.polling.feed import Feed
from farmtui.polling.report import Report

__all__ = ["Clock", "Coordinator", "Feed", "Report", "SystemClock", "assemble", "build_sources", "ssh_hosts"]
