"""Types of what `millirobot_adapt` hands out; the names are imported when they are first asked for."""

from millirobot_adapt.api import AdaptedDynamics as AdaptedDynamics
from millirobot_adapt.api import DynamicsModel as DynamicsModel
from millirobot_adapt.api import EvaluationResult as EvaluationResult
from millirobot_adapt.api import Forecast as Forecast
from millirobot_adapt.api import LoadedRun as LoadedRun
from millirobot_adapt.api import PlannedPath as PlannedPath
from millirobot_adapt.api import Sim as Sim
from millirobot_adapt.api import SimWalk as SimWalk
from millirobot_adapt.api import cost_term as cost_term
from millirobot_adapt.api import evaluate as evaluate
from millirobot_adapt.api import load_model as load_model
from millirobot_adapt.api import load_run as load_run
from millirobot_adapt.api import make_controller as make_controller
from millirobot_adapt.api import plan as plan
from millirobot_adapt.api import prediction_errors as prediction_errors
from millirobot_adapt.api import rollout as rollout

__version__: str
__all__: tuple[str, ...]
