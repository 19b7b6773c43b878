"""What ran is in the bag, and comes out of it."""

import pytest
import yaml

from millirobot_adapt.bringup.processes import RECORDER
from millirobot_adapt.contract.topics import RUN
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.estimation.estimator_config import EstimatorNodeConfig
from millirobot_adapt.recording import stored_messages
from millirobot_adapt.recording.names import full_names
from millirobot_adapt.recording.provenance import PARAMETERS, read_provenance
from millirobot_adapt.recording.reader import open_bag
from millirobot_adapt.recording.records import typestore
from millirobot_adapt.recording.writer import BagWriter

START = 1_700_000_000.0
CONTENT = {
    'seed': 7,
    'version': {'package': '0.1.0', 'git': 'abc-dirty'},
    'model': {'path': '/models/x', 'sha256': {'theta.npz': '00ff'}},
    'recorder': {'bag': 'there', 'flush_period': 0.5},
}


def text_message(text):
    return typestore().types[RUN.type](text)


def write_bag(folder, *texts, namespace=''):
    (name,) = full_names([RUN], namespace)
    with BagWriter(folder, full_names(namespace=namespace)) as bag:
        for text in texts:
            bag.write_message(name, text_message(text), START)
    return folder


def provenance_of(path):
    return read_provenance(open_bag(path))


@pytest.mark.parametrize('namespace', ['', 'robot1'])
def test_what_was_written_is_read_back(tmp_path, namespace):
    found = provenance_of(write_bag(tmp_path / 'bag', yaml.safe_dump(CONTENT), namespace=namespace))
    assert found.content == CONTENT
    assert (found.seed, found.version, found.git, found.model) == (7, '0.1.0', 'abc-dirty', '/models/x')
    assert found.model_hashes == {'theta.npz': '00ff'}
    assert found.config('recorder', RECORDER.config_class()).flush_period == 0.5
    assert found.config('estimator', EstimatorNodeConfig) is None


def test_parameters_of_another_version_are_a_clear_error(tmp_path):
    found = provenance_of(write_bag(tmp_path / 'bag', yaml.safe_dump({'recorder': {'gone': 1}})))
    with pytest.raises(UserError, match="run: recorder: unknown parameter 'gone'"):
        found.config('recorder', RECORDER.config_class())


def test_a_run_folder_stands_in_for_a_bag_that_does_not_tell(tmp_path):
    bag = write_bag(tmp_path / 'bag')
    with BagWriter(bag.parent / 'other') as writer:
        writer.write_message('/legs', stored_messages.joint_state(START, [1, 1]), START)
    (tmp_path / PARAMETERS).write_text(yaml.safe_dump(CONTENT))
    assert provenance_of(tmp_path / 'other').seed == 7
    assert provenance_of(bag / 'bag_0.mcap').seed == 7


@pytest.mark.parametrize('text', ['', '[1, 2]', 'a: [', 'just words'])
def test_a_bag_that_tells_nothing_sensible_tells_nothing(tmp_path, text):
    assert provenance_of(write_bag(tmp_path / 'bag', text)) is None


def test_the_word_of_the_bag_goes_before_that_of_the_folder(tmp_path):
    (tmp_path / PARAMETERS).write_text('seed: 1')
    assert provenance_of(write_bag(tmp_path / 'bag', 'seed: 2')).seed == 2


def test_yaml_that_would_run_something_does_not(tmp_path):
    target = tmp_path / 'made'
    text = f'!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ["{target}"]]'
    assert provenance_of(write_bag(tmp_path / 'bag', text)) is None
    assert not target.exists()
