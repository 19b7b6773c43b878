"""The pages in a real browser: they load, say nothing on the console, and every figure has its place."""

import html
import json
import re
import shutil
import subprocess

import pytest
import synthetic_run

from millirobot_adapt.analysis.compare.comparison_page import write_page
from millirobot_adapt.analysis.compare.runs import comparison, read_runs
from millirobot_adapt.analysis.report import write_report

CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason='no Chromium on this machine'),
]

# Errors are caught from the head on; sizes are read when all is laid out. The page stands in a frame, because a window
# of headless Chromium is never narrower than 500 pixels.
WATCH = '<script>var errors = []; window.onerror = function (text) { errors.push(text); };</script>'
MEASURE = """<script>
var boxes = Array.from(document.querySelectorAll('figure svg.figure')).map(function (svg) {
  var box = svg.getBoundingClientRect();
  return {name: svg.closest('figure').querySelector('figcaption b').textContent, width: box.width, height: box.height};
});
window.parent.document.getElementById('found').textContent = JSON.stringify({
  errors: errors, boxes: boxes, page: document.documentElement.scrollWidth, window: window.innerWidth});
</script>"""
FRAME = '<pre id="found"></pre><iframe width="{width}" height="900" style="border: 0" srcdoc="{page}"></iframe>'


def chromium(profile, *options):
    return subprocess.run(
        [
            CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-sync',
            '--disable-background-networking', '--disable-component-update', '--no-first-run',
            '--enable-logging=stderr', f'--user-data-dir={profile}', *options,
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    """A run's report, and a page that compares two runs."""
    home = tmp_path_factory.mktemp('browser')
    folders = [synthetic_run.write_run(home / str(seed), lively=True, seed=seed) for seed in (7, 8)]
    write_report(folders[0])
    runs = read_runs(folders, by='seed')
    write_page(home / 'comparison.html', runs, comparison(runs))
    return {'report': folders[0] / 'report.html', 'comparison': home / 'comparison.html'}


@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('name', ['report', 'comparison'])
def test_every_figure_has_a_size_and_nothing_sticks_out(pages, tmp_path, name, width):
    page = pages[name].read_text(encoding='utf-8')
    watched = tmp_path / 'watched.html'
    inner = page.replace('<style>', WATCH + '<style>', 1).replace('</body>', MEASURE + '</body>')
    watched.write_text(FRAME.format(width=width, page=html.escape(inner)), encoding='utf-8')
    shown = chromium(tmp_path / 'profile', '--window-size=1400,1000', '--dump-dom', watched.as_uri())
    found = json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', shown.stdout, re.DOTALL)[1]))
    assert 'CONSOLE' not in shown.stderr
    assert found['errors'] == []
    assert found['window'] == width
    assert found['page'] <= width
    assert len(found['boxes']) == page.count('<figure')
    for box in found['boxes']:
        assert box['width'] > 0.5 * min(width, 600), box
        assert box['height'] > 100, box


@pytest.mark.parametrize('name', ['report', 'comparison'])
def test_it_prints(pages, tmp_path, name):
    chromium(tmp_path / 'profile', f'--print-to-pdf={tmp_path / "page.pdf"}', pages[name].as_uri())
    pdf = (tmp_path / 'page.pdf').read_bytes()
    assert pdf.startswith(b'%PDF')
    assert 2 <= len(re.findall(rb'/Type\s*/Page\b(?!s)', pdf)) <= 8
