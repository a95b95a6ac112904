"""The apprentice: a recurrent network that sees pixels alone, imitates the player with priors, and then practises.

    from priorlab.agents.apprentice import load_network
    network, shape, about = load_network("practised.safetensors")
    action, state = network.predict(picture, state)

The public names are listed in ``__init__.pyi``, and each is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
