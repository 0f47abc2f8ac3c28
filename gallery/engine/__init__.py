"""The gallery as it is used: everything joined."""
