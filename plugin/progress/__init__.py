"""What a run says while it works, and how it ends early."""

from plugin.progress.modes import QuietProgress

__all__ = ["QuietProgress"]
