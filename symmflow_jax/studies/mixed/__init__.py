"""Images without masks beside a few with masks."""
