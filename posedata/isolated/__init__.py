"""What reads files in a child process, and what the child imports: little, so that it starts fast."""
