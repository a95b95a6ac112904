"""Players that bring knowledge: raised on random worlds, or designed by hand; what they believe, and their lives.

    from priorlab.agents.priors import Policy, Scenery, learned
    scenery = Scenery(level)
    evaluate_policy(Policy(scenery, learned()), scenery.env())

The public names are listed in ``__init__.pyi``, and each is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
