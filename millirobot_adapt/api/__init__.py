"""What scripts and notebooks need: runs, models, the mock, plans and evaluations, each in one call.

`from millirobot_adapt import load_run` gives the names below; docs/api.md lists them. Nothing here knows ROS. What a
function needs is imported when it is called, so that importing these names costs nothing and asks for no extra.
"""

from millirobot_adapt.api.controllers import PlannedPath as PlannedPath
from millirobot_adapt.api.controllers import make_controller as make_controller
from millirobot_adapt.api.controllers import plan as plan
from millirobot_adapt.api.dynamics_model import AdaptedDynamics as AdaptedDynamics
from millirobot_adapt.api.dynamics_model import DynamicsModel as DynamicsModel
from millirobot_adapt.api.dynamics_model import Forecast as Forecast
from millirobot_adapt.api.dynamics_model import load_model as load_model
from millirobot_adapt.api.dynamics_model import rollout as rollout
from millirobot_adapt.api.evaluation import EvaluationResult as EvaluationResult
from millirobot_adapt.api.evaluation import evaluate as evaluate
from millirobot_adapt.api.evaluation import prediction_errors as prediction_errors
from millirobot_adapt.api.recorded_run import LoadedRun as LoadedRun
from millirobot_adapt.api.recorded_run import load_run as load_run
from millirobot_adapt.api.simulation import Sim as Sim
from millirobot_adapt.api.simulation import SimWalk as SimWalk
from millirobot_adapt.core.planning.costs.term import cost_term as cost_term
