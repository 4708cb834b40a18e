"""The page in a browser: players play, tables sort, nothing is fetched, and no name runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from sepcli.evaluation.report.listening import AudioOf
from sepcli.evaluation.report.write import write_report
from sepcli.evaluation.results import Row

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1280,900",
)
SCRIPT = "<script>alert(1)</script>"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="chromium and chromedriver are not installed"
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory,
    few_rows: list[Row],
    summary: dict[str, Any],
    audio_of: AudioOf,
) -> Path:
    """A report with sounds of two items, one of them hostile."""
    folder = tmp_path_factory.mktemp("report")
    heard = [row for row in few_rows if row.item in (SCRIPT, "mixtures/000")]
    return write_report(folder, summary, heard, audio_of)[3]


@pytest.fixture(scope="module")
def listed(
    tmp_path_factory: pytest.TempPathFactory, few_rows: list[Row], summary: dict[str, Any]
) -> Path:
    """A report of more rows, without sounds; one figure is undefined, one infinite."""
    return write_report(tmp_path_factory.mktemp("listed"), summary, few_rows, None)[3]


def opened(driver: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    driver.get(page.as_uri())
    return driver


def test_nothing_is_fetched_and_nothing_fails(driver: webdriver.Chrome, written: Path) -> None:
    for kind in ("browser", "performance"):
        driver.get_log(kind)  # of pages before
    opened(driver, written)
    WebDriverWait(driver, 10).until(lambda d: d.execute_script(ALL_KNOW_THEIR_LENGTH))
    asked = []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    assert written.as_uri() in asked  # the log does see requests
    assert {url.split(":", 1)[0] for url in asked} == {"file", "data"}
    assert [url for url in asked if url.startswith("file")] == [written.as_uri()]
    fetched = driver.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name)"
    )
    assert [name for name in fetched if not name.startswith("data:")] == []
    assert driver.get_log("browser") == []


ALL_KNOW_THEIR_LENGTH = """
    const all = [...document.querySelectorAll('audio')];
    return all.length && all.every(audio => Number.isFinite(audio.duration));
"""


def test_the_policy_stops_what_is_not_ours(driver: webdriver.Chrome, written: Path) -> None:
    opened(driver, written)
    ran = driver.execute_async_script(
        """const done = arguments[arguments.length - 1];
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        fetch('data:,x').then(() => done('fetched'), () => done(Boolean(window.ran)));"""
    )
    assert ran is False
    assert any("Content Security Policy" in log["message"] for log in driver.get_log("browser"))


def test_players_play(driver: webdriver.Chrome, written: Path) -> None:
    opened(driver, written)
    assert len(driver.find_elements(By.TAG_NAME, "audio")) == 12
    for index in (0, 11):
        assert (
            driver.execute_async_script(
                """const done = arguments[1];
            const audio = document.querySelectorAll('audio')[arguments[0]];
            audio.play().then(() => audio.addEventListener('timeupdate', () => {
                if (audio.currentTime > 0.1) done(true);
            }), error => done(String(error)));""",
                index,
            )
            is True
        )
    durations = driver.execute_script(
        "return [...document.querySelectorAll('audio')].map(a => a.duration)"
    )
    assert durations == pytest.approx([5.0] * 12, abs=0.05)


def test_another_sound_goes_on_where_the_first_was(driver: webdriver.Chrome, written: Path) -> None:
    opened(driver, written)
    first, second, line = driver.execute_async_script(
        """const done = arguments[0];
        const [a, b] = document.querySelectorAll('audio');
        const line = b.parentElement.querySelector('.playhead');
        a.currentTime = 2;
        a.addEventListener('seeked', async () => {
            await a.play();
            await b.play();
            setTimeout(() => done([a.paused, b.currentTime,
                [getComputedStyle(line).visibility, Number(line.getAttribute('x1'))]]), 300);
        }, { once: true });"""
    )
    assert first is True
    assert 2.0 <= second < 4.0
    assert line[0] == "visible"
    assert line[1] == pytest.approx(30 + 400 * second / 5, abs=30)


def test_a_click_on_a_spectrogram_goes_there(driver: webdriver.Chrome, written: Path) -> None:
    opened(driver, written)
    WebDriverWait(driver, 10).until(lambda d: d.execute_script(ALL_KNOW_THEIR_LENGTH))
    at = driver.execute_script(
        """const box = document.querySelector('.spectrogram image').getBoundingClientRect();
        const where = { clientX: box.left + 0.6 * box.width, clientY: box.top + 5, bubbles: true };
        document.querySelector('.spectrogram').dispatchEvent(new MouseEvent('click', where));
        return document.querySelector('audio').currentTime;"""
    )
    assert at == pytest.approx(3.0, abs=0.05)


def items(driver: webdriver.Chrome) -> WebElement:
    return driver.find_element(By.CSS_SELECTOR, "#items table")


def column(table: WebElement, index: int) -> list[str]:
    rows: list[str] = table.parent.execute_script(
        "return [...arguments[0].tBodies[0].rows].map(r => r.cells[arguments[1]].textContent)",
        table,
        index,
    )
    return [text.strip() for text in rows]


def click(table: WebElement, index: int) -> str | None:
    head = table.find_elements(By.CSS_SELECTOR, "thead th")[index]
    head.find_element(By.TAG_NAME, "button").click()
    return head.get_attribute("aria-sort")


def test_numbers_sort_as_numbers(driver: webdriver.Chrome, listed: Path) -> None:
    table = items(opened(driver, listed))
    shown = column(table, 3)
    assert click(table, 3) == "ascending"
    rising = column(table, 3)
    assert rising[-1] == "n/a (ref_silent)"
    values = [float(text.replace("−", "-").replace("∞", "inf")) for text in rising[:-1]]
    assert values == sorted(values)
    assert rising != sorted(rising)  # as words they would be in another order
    assert rising != shown
    assert click(table, 3) == "descending"
    falling = column(table, 3)
    assert falling[-1] == "n/a (ref_silent)"  # what is undefined stays last
    assert falling[:-1] == rising[-2::-1]


def test_words_sort_as_words_and_only_one_column_says_so(
    driver: webdriver.Chrome, listed: Path
) -> None:
    table = items(opened(driver, listed))
    click(table, 3)
    click(table, 0)
    names = column(table, 0)
    assert [name for name in names if name.startswith("mix")] == sorted(
        name for name in names if name.startswith("mix")
    )
    heads = table.find_elements(By.CSS_SELECTOR, "thead th")
    states = [head.get_attribute("aria-sort") for head in heads]
    assert states == ["ascending"] + ["none"] * (len(heads) - 1)


def test_numbers_in_the_first_column_sort_as_numbers(
    driver: webdriver.Chrome, listed: Path
) -> None:
    opened(driver, listed)
    table = driver.find_elements(By.CSS_SELECTOR, "#groups table")[1]
    click(table, 0)
    assert column(table, 0) == ["-10.0", "-5.0", "0.0", "5.0", "10.0"]


def test_a_hostile_name_stays_text(driver: webdriver.Chrome, written: Path) -> None:
    opened(driver, written)
    assert SCRIPT in column(items(driver), 0)
    titles = driver.execute_script(
        "return [...document.querySelectorAll('circle title')].map(t => t.textContent)"
    )
    assert any(SCRIPT in title for title in titles)
    scripts = driver.execute_script("return document.querySelectorAll('script').length")
    assert scripts == 2  # the explorer's data and ours


def dots(driver: webdriver.Chrome) -> list[list[str]]:
    places: list[list[str]] = driver.execute_script(
        """return [...document.querySelectorAll('#explorer circle')].map(
            c => [c.getAttribute('visibility'), c.getAttribute('cx'), c.getAttribute('cy')])"""
    )
    return places


def test_dots_move_to_the_figures_that_are_chosen(driver: webdriver.Chrome, listed: Path) -> None:
    opened(driver, listed)
    before = dots(driver)
    assert [visible for visible, *_ in before].count("hidden") == 2
    across = driver.find_element(By.CSS_SELECTOR, "#explorer select")
    Select(across).select_by_visible_text("fact: snr")
    after = dots(driver)
    assert [y for *_, y in after] == [y for *_, y in before]
    levels = {x for visible, x, _ in after if visible == "visible"}
    assert 2 <= len(levels) <= 5  # the levels there are
    assert driver.find_element(By.CSS_SELECTOR, "#explorer .label.x").text == "fact: snr"
    ticks = driver.find_elements(By.CSS_SELECTOR, "#explorer .axis.x text")
    assert [tick.text for tick in ticks][:2] == ["−10", "−8"]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_never_wider_than_the_screen(
    width: int, driver: webdriver.Chrome, written: Path
) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        opened(driver, written)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_dark_is_dark(driver: webdriver.Chrome, listed: Path) -> None:
    def brightness(scheme: str) -> int:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        opened(driver, listed)
        colour: str = driver.execute_script(
            "return getComputedStyle(document.body).backgroundColor"
        )
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    assert brightness("light") > 3 * 200
    assert brightness("dark") < 3 * 50
