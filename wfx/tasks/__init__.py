"""Tasks: work that is promised and done later, such as webhooks and mails."""
