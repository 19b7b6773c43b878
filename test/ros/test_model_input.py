"""Requests for another model, as text on a topic."""

import pytest

pytest.importorskip('rclpy')

from millirobot_adapt.core.control.model_server import ModelRequest
from millirobot_adapt.ros.inputs.model_input import read_request, write_request


@pytest.mark.parametrize('name', ['/models/mine', 'velociroach_mb', "it's: odd, [but] true", ' ', '123', 'no'])
def test_a_request_comes_back_from_its_text(name):
    request = ModelRequest(name, '12345678')
    assert read_request(write_request(request)) == request


@pytest.mark.parametrize(
    ('text', 'name'),
    [('/models/mine', '/models/mine'), ('velociroach_mb\n', 'velociroach_mb'), ('{model: a}', 'a'), ('a: [', 'a: [')],
)
def test_a_person_may_write_the_bundle_alone(text, name):
    assert read_request(text) == ModelRequest(name)


@pytest.mark.parametrize('text', ['', ' ', '{id: 3}', '{model: 3}', '{model: [a]}'])
def test_a_text_that_names_no_bundle_is_refused(text):
    with pytest.raises(ValueError, match='names no model bundle'):
        read_request(text)
