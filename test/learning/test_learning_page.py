"""The page of a sitting, from rows with known numbers."""

import xml.etree.ElementTree as ET

import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.learning.online.learning_page import write_learning_page
from millirobot_adapt.learning.online.progress_file import FILE, ProgressFile, read_progress


def sitting(folder, clock):
    progress = ProgressFile(folder)
    for k in range(4):
        shape, cost = ('random', None) if k < 2 else ('figure8_small', 9.0 - 2.25 * k)
        told = {'clock_min': 0.4 * (k + 1)} if clock else {}
        progress.add(wall_s=100.0 + 20.0 * k, walked_min=(k + 1) / 3, shape=shape, cost=cost, **told)
        progress.add(wall_s=105.0 + 20.0 * k, step=100 * (k + 1), position=0.08 - 0.01 * k, **told)
    progress.add(wall_s=170.0, bundle='0001', **({'clock_min': 1.7} if clock else {}))


@pytest.mark.parametrize('clock', [True, False])
def test_the_page_says_what_was_walked_and_learned(tmp_path, clock):
    sitting(tmp_path, clock)
    page = write_learning_page(tmp_path).read_text()
    ET.fromstring(page.replace('<!doctype html>', '').replace('<!DOCTYPE html>', ''))
    assert 'Learned in 1.3 minutes of walking' in page
    assert '4 legs, 2 of them along paths' in page
    assert 'From 4.50 in the first path to 2.25 in the last.' in page
    assert 'From 80 to 50 mm at the horizon.' in page
    assert page.count('figure8_small') == 2


def test_what_judged_models_cost_is_drawn_beside_the_last_one_before_a_change(tmp_path):
    sitting(tmp_path, clock=True)
    assert 'Cost in the walks that judge' not in write_learning_page(tmp_path).read_text()
    progress = ProgressFile(tmp_path)
    for walked, cost, condition in ((1, 3.0, 'carpet'), (2, 2.0, 'carpet'), (2, 4.0, 'worn'), (3, 2.5, 'worn')):
        told = {'clock_min': walked, 'bundle': '0001', 'costs': [cost], 'condition': condition}
        progress.add(wall_s=200.0, walked_min=walked, cost_judged=cost, **told)
    page = write_learning_page(tmp_path).read_text()
    assert 'On carpet from 3.00 to 2.00. On worn from 4.00 to 2.50.' in page
    assert 'without learning on' in page


def test_a_sitting_that_was_killed_at_once_has_a_page_too(tmp_path):
    ProgressFile(tmp_path).add(wall_s=1.0, walked_min=0.1, shape='random', cost=None)
    with (tmp_path / FILE).open('a') as file:
        file.write('{"wall_s": 2.0, "walked')
    assert len(read_progress(tmp_path)) == 1
    page = write_learning_page(tmp_path).read_text()
    assert 'No path was walked yet.' in page
    assert 'Nothing was trained yet.' in page


def test_without_a_leg_there_is_no_page(tmp_path):
    with pytest.raises(UserError, match='nothing was walked'):
        write_learning_page(tmp_path)
