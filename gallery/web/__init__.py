"""The page to look and decide, and the HTTP interface that it talks to; cli opens it."""
