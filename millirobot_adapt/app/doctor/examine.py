"""Run the checks one after the other; one that breaks is a finding itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from millirobot_adapt.app.doctor import hardware, interpreters, machine, model_checks, ros
from millirobot_adapt.app.doctor.finding import Finding, fail, failed
from millirobot_adapt.app.doctor.subject import Subject
from millirobot_adapt.core.errors import UserError

Check = Callable[[Subject], Iterable[Finding]]

CHECKS: Mapping[str, Check] = {
    'software': machine.check_python,
    'processor': machine.check_processor,
    'priority': machine.check_priority,
    'timer': machine.check_timer,
    'clock': machine.check_clock,
    'disk': machine.check_disk,
    'ROS': ros.check_origin,
    'Python': interpreters.check_interpreters,
    'middleware': ros.check_middleware,
    'discovery': ros.check_domain,
    'other nodes': ros.check_graph,
    'mocap': ros.check_mocap,
    'port': hardware.check_port,
    'parameters': model_checks.check_parameters,
    'robot': model_checks.check_robot,
    'path': model_checks.check_path,
    'engine': model_checks.check_engine,
    'model': model_checks.check_model,
}
"""In the order in which they are shown."""


def examine(subject: Subject, checks: Mapping[str, Check] = CHECKS) -> Iterator[tuple[str, Finding]]:
    """Yield the name of each check with each of its findings, as they are made."""
    for name, check in checks.items():
        try:
            for finding in check(subject):
                yield name, finding
        except UserError as error:
            yield name, failed(error)
        except Exception as error:  # whatever it is, the other checks are still worth having
            reason = ' '.join(str(error).split())
            yield name, fail(f'the check itself broke: {type(error).__name__}: {reason}', 'report it, with this line')
