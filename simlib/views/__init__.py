"""What happened, as pictures: one layout of marks computed from a trace, and thin renderers over it."""
