"""Learning classes from few examples: nearest neighbours, metric learning, MAML, and examples made up."""
