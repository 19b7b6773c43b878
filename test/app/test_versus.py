"""`demo --versus`: who walks when, what is compared, what is refused. Runs are made up, nothing walks."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import synthetic_run
import yaml

from millirobot_adapt.app import versus
from millirobot_adapt.app.demo import Demo
from millirobot_adapt.app.main import main
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.recording import stored_messages


@pytest.fixture
def demo(tmp_path):
    return Demo(
        seconds=6.0, shape=None, condition='leg_loss', method=None, model=None, seed=3, out=tmp_path, overrides=[]
    )


@pytest.fixture
def walked(demo, monkeypatch):
    """Stand in for the real walks: write a run of the method asked for; a note of each is kept."""
    notes = []
    interrupts = SimpleNamespace(requested=False)

    @contextmanager
    def no_signals():
        yield interrupts

    monkeypatch.setattr(versus, 'Interrupts', no_signals)

    def walk(asked, command, given):
        method = asked.method or 'grbal'
        real = synthetic_run.write_beginning

        def begin(bag, path):
            real(bag, path)
            details = {'method': method, 'model': f'velociroach_{method}'}
            start = synthetic_run.START - 0.01
            bag.write_message('/controller/state', stored_messages.status('controller', 'running', details), start)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(synthetic_run, 'write_beginning', begin)
            folder = synthetic_run.write_run(
                demo.out / f'{method}_{asked.seed}', ticks=60, seed=asked.seed, lively=True
            )
        content = yaml.safe_load((folder / 'parameters.yaml').read_text())
        content['mock_robot'] = {'condition': asked.condition}
        (folder / 'parameters.yaml').write_text(yaml.safe_dump(content))
        notes.append((method, asked.seed))
        return folder, ''

    return SimpleNamespace(walk=walk, notes=notes, interrupts=interrupts)


def test_each_seed_is_walked_by_both_and_one_page_compares_them(demo, walked, capsys):
    assert versus.run_versus(demo, 'mb', 2, 'millirobot demo', walked.walk) == 0
    assert walked.notes == [('mb', 3), ('grbal', 3), ('mb', 4), ('grbal', 4)]
    (page,) = demo.out.glob('versus_*.html')
    text = page.read_text()
    assert 'mb and grbal: 4 runs' in text
    assert 'Paths driven, path wanted' in text
    printed = capsys.readouterr().out
    assert 'cost per step: grbal / mb =' in printed
    assert 'of 2 pairs' in printed
    assert str(page) in printed


def test_one_seed_has_a_page_and_no_interval(demo, walked, capsys):
    assert versus.run_versus(demo, 'mb', 1, 'millirobot demo', walked.walk) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith('cost per step: grbal')]
    assert '[' not in line
    assert line.endswith('of 1 pairs')


def test_an_early_end_is_an_exit_code_of_1_and_the_rest_still_walks(demo, walked):
    def walk(asked, command, interrupts):
        folder, _ = walked.walk(asked, command, interrupts)
        return folder, 'the robot was stopped' if asked.method == 'mb' else ''

    assert versus.run_versus(demo, 'mb', 1, 'millirobot demo', walk) == 1
    assert len(walked.notes) == 2


def test_an_interruption_ends_it_with_what_there_is(demo, walked):
    def walk(asked, command, interrupts):
        walked.interrupts.requested = len(walked.notes) == 1
        return walked.walk(asked, command, interrupts)

    assert versus.run_versus(demo, 'mb', 5, 'millirobot demo', walk) == 130
    assert len(walked.notes) == 2
    assert list(demo.out.glob('versus_*.html'))


def test_a_method_against_itself_and_an_unknown_one_are_refused_before_anything_walks(demo, walked):
    with pytest.raises(UserError, match='walks with rebal already'):
        versus.run_versus(demo, 'rebal', 1, 'millirobot demo', walked.walk)
    with pytest.raises(UserError, match='none_such'):
        versus.run_versus(demo, 'none_such', 1, 'millirobot demo', walked.walk)
    assert walked.notes == []


def test_several_seeds_without_a_rival_are_refused(capsys):
    assert main(['demo', '--seeds', '3']) == 2
    assert '--seeds goes with --versus' in capsys.readouterr().err
