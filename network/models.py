"""The community of practice. Its records come with the meetings, exchanges and mentoring themselves."""
