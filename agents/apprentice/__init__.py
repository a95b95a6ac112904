"""The apprentice: a recurrent network that sees pixels alone, imitates the player with priors, and then practises."""
