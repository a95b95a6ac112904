"""The methods that keep what a network learned, one family per file; ``transfer.keeping`` has the table of their
names."""
