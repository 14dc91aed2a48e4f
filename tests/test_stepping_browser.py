"""The page to step through backprop, in a real browser: keys, slider, pointer, touch, phone, dark.

Skipped where Selenium, Chromium or its driver are missing.
"""

import json
import random
import shutil

import numpy as np
import pytest

from opgrad import Value, ops
from opgrad.drawing.page import html_of
from opgrad.drawing.stepping import stepping

selenium = pytest.importorskip(
    "selenium", reason="the page is tested in a browser through Selenium: pip install selenium"
)
from selenium.webdriver import Chrome, ChromeOptions  # noqa: E402 -- after the check above
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path (Debian: chromium)"),
    pytest.mark.skipif(DRIVER is None, reason="no chromedriver (Debian: chromium-driver)"),
]
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update"
)
DESKTOP, PHONE = (1280, 800), (375, 667)
STILL = {"reduced-motion": "reduce"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One browser for all, with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    driver.get("about:blank")
    yield driver
    driver.quit()


@pytest.fixture
def show(browser, tmp_path):
    """Open a page of Values in a window; afterwards, look for errors and for requests."""
    for log in ("browser", "performance"):  # what came before is not the page's
        browser.get_log(log)

    def opened(*outputs, names=None, window=DESKTOP, **media):
        file = tmp_path / "backprop.html"
        file.write_text(html_of(*outputs, names=names), encoding="utf-8")
        width, height = window
        phone = window == PHONE
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})
        features = [{"name": f"prefers-{key}", "value": value} for key, value in media.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get(file.as_uri())

        return Page(browser)

    yield opened
    problems = [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"]
    assert problems == []
    assert [url for url in requests(browser) if not url.startswith(("file:", "data:"))] == []


def requests(browser):
    """Every address the page asked for."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    return [parameters["request"]["url"] for parameters in sent]


class Page:
    """What a reader does and sees."""

    def __init__(self, browser):
        self.browser = browser

    def run(self, script, *arguments):
        """What JavaScript returns."""
        return self.browser.execute_script(script, *arguments)

    def press(self, *keys):
        """Press keys, one after the other, on what has the focus."""
        for key in keys:
            ActionChains(self.browser).send_keys(key).perform()

    def point_at(self, element):
        """Move the pointer there."""
        ActionChains(self.browser).move_to_element(element).perform()

    def element(self, selector):
        """The first that a CSS selector finds."""
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def elements(self, selector):
        """All that a CSS selector finds."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """The text of an element that can be seen."""
        return self.element(selector).text

    def slide(self, at):
        """Move the slider to a step, as a drag of it does."""
        script = (
            "const slider = document.getElementById('slider'); slider.value = arguments[0];"
            "slider.dispatchEvent(new Event('input', {bubbles: true}));"
        )
        self.run(script, at)

    def box(self, name):
        """The box of a value, by its name."""
        return self.element(f'.node:not(.op)[aria-label^="{name},"]')

    def row(self, name, kind):
        """The number in the box of a value: `data` or `grad`."""
        return self.box(name).find_element(By.CSS_SELECTOR, f".{kind}")

    def rows(self):
        """The tables of the panel: sign, name and numbers of each row."""
        rows = self.run(
            "return [...document.querySelectorAll('#text tbody tr')].map((row) =>"
            "[...row.cells].map((cell) => cell.firstChild ? cell.firstChild.textContent : ''))"
        )

        return [[cell for cell in row if cell] for row in rows]

    def focused(self):
        """What has the focus: its id, or its name for those who listen."""
        return self.run(
            "const e = document.activeElement;"
            "return e.id || e.getAttribute('aria-label') || e.tagName"
        )

    def view(self):
        """Scale and corner of the graph, in px."""
        return self.run(
            "const m = new DOMMatrix(getComputedStyle(camera).transform); return [m.a, m.e, m.f]"
        )

    def until(self, wanted):
        """Wait for it."""
        WebDriverWait(self.browser, 10, poll_frequency=0.02).until(lambda _: wanted())


def course_example():
    """L = (a b + c) f, with its names."""
    a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
    e = a * b
    d = e + c

    return d * f, {"a": a, "b": b, "c": c, "f": f, "e": e, "d": d}


def network(sizes=(3, 6, 6, 1)):
    """A multilayer perceptron of scalar Values, with named weights."""
    draw = random.Random(0)
    xs = [Value(draw.uniform(-1, 1)).named(f"x{i}") for i in range(sizes[0])]
    for layer, width in enumerate(sizes[1:]):
        outputs = []
        for neuron in range(width):
            total = Value(0.0).named(f"b{layer}_{neuron}")
            for i, x in enumerate(xs):
                total = total + Value(draw.uniform(-1, 1)).named(f"w{layer}_{neuron}_{i}") * x
            outputs.append(ops.tanh(total))
        xs = outputs

    return (xs[0] - 1.0) ** 2


# -- stepping -------------------------------------------------------------------------------------


def test_keys_step_forward_and_then_backward_node_by_node(show):
    """Right goes on, Left goes back; Home and End jump."""
    out, names = course_example()
    page = show(out, names={**names, "L": out})
    seen = [page.text("#heading")]
    for _ in range(8):
        page.press(Keys.ARROW_RIGHT)
        seen.append(page.text("#heading"))

    calls = ["e = a * b", "d = e + c", "L = d * f"]
    assert seen == [
        "The inputs are given",
        *calls,
        "The backward pass starts",
        *calls[::-1],
        "The gradients",
    ]
    page.press(Keys.ARROW_LEFT)
    assert page.text("#heading") == calls[0]
    page.press(Keys.HOME)
    assert page.text("#heading") == seen[0]
    page.press(Keys.END)
    assert page.text("#heading") == seen[-1]


def test_the_slider_goes_to_any_step(show):
    """By pointer, and by the keys it knows when it has the focus."""
    out, names = course_example()
    page = show(out, names=names)
    page.slide(2)
    assert (page.text("#heading"), page.text("#place")) == ("d = e + c", "3 of 9")
    page.run("document.getElementById('slider').focus()")
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)

    assert page.text("#heading") == "The backward pass starts"
    assert page.element("#slider").get_attribute("aria-valuetext") == "5 of 9, backward"


def test_buttons_step_and_are_off_at_the_ends(show):
    """There is nothing before the first step, and nothing after the last."""
    page = show(course_example()[0])

    def off():
        return [button.get_attribute("id") for button in page.elements("button:disabled")]

    assert off() == ["first", "back"]
    page.element("#next").click()
    assert (page.text("#place"), off()) == ("2 of 9", [])
    page.element("#last").click()
    assert (page.text("#place"), off()) == ("9 of 9", ["next", "last"])


def test_space_plays_and_pauses(show):
    """A step at a time, to the end, where it stops by itself; from there it starts again."""
    page = show(course_example()[0])
    page.press(" ")
    assert page.element("#play").get_attribute("aria-label") == "Pause"
    page.until(lambda: page.text("#place") == "2 of 9")
    page.press(" ")
    assert page.element("#play").get_attribute("aria-label") == "Play"
    page.slide(7)
    page.press(" ")
    page.until(lambda: page.element("#play").get_attribute("aria-label") == "Play")
    assert page.text("#place") == "9 of 9"


def test_a_backward_step_shows_gradient_times_local_derivative(show):
    """And the rule's source, with its file and provider."""
    out, names = course_example()
    page = show(out, names={**names, "L": out})
    page.slide(5)

    assert page.rows()[:3] == [
        ["∂L/∂L", "1"],
        ["×", "∂L/∂d", "-2"],
        ["=", "∂L/∂d", "-2"],
    ]
    assert "@multiply.derivative" in page.text("figure pre")
    caption = page.text("figcaption")
    assert caption.startswith("derivative rule of multiply for a: arithmetic.py, line")
    assert "opgrad 0." in caption


def test_a_value_used_twice_adds_before_ones_eyes(show):
    """What it had, what comes, and the sum."""
    x = Value(3.0).named("x")
    page = show((x * x).named("y"))
    page.slide(3)

    assert page.rows()[-3:] == [
        ["=", "contribution", "3"],
        ["+", "x had", "3"],
        ["=", "∂y/∂x", "6"],
    ]


def test_the_gradients_at_the_end_are_those_of_backward_to_the_last_digit(show):
    """Every leaf of a network, and its box in the graph."""
    loss = network()
    page = show(loss)
    page.press(Keys.END)
    page.element("#digits").click()
    shown = {name.partition("/∂")[2]: number for name, number in page.rows()}
    leaves = stepping(loss).leaves
    loss.backward()

    assert shown == {leaf.label: repr(leaf.grad) for leaf in leaves}
    in_graph = page.row(leaves[5].label, "grad").get_attribute("textContent")
    assert in_graph == f"{leaves[5].grad:.4g}"


def test_gradients_appear_only_when_the_backward_pass_gets_there(show):
    """And data only when the forward pass does."""
    out, names = course_example()
    page = show(out, names=names)

    def seen(name, kind):
        return page.row(name, kind).is_displayed()

    assert (seen("a", "data"), seen("e", "data"), seen("a", "grad")) == (True, False, False)
    page.slide(1)
    assert seen("e", "data")
    page.slide(6)
    assert (seen("e", "grad"), seen("a", "grad")) == (True, False)
    page.slide(7)
    assert seen("a", "grad")


def test_arrays_are_shown_by_their_range_and_rules_that_mix_entries_as_such(show):
    """No product is claimed where there is none."""
    x = Value(np.array([[1.0, 2.0]])).named("x")
    w = Value(np.array([[3.0, 5.0], [4.0, 8.0]])).named("w")
    page = show((ops.sum(x @ w)).named("y"))
    page.slide(5)

    assert page.rows()[0][1:] == ["1", "1", "1"]
    assert page.rows()[1][:2] == ["→", "the rule"]
    assert page.rows()[2] == ["=", "∂y/∂x", "8", "10", "12"]


def test_an_op_with_several_outputs_is_stepped(show):
    """Its outputs hand in their gradients one by one; then its rule is asked."""
    m = Value(np.array([[2.0, 1.0], [1.0, 3.0]])).named("m")
    values, vectors = ops.linalg.eigh(m)
    page = show((ops.sum(values) + ops.sum(vectors)).named("y"))
    headings = []
    for _ in range(14):
        page.press(Keys.ARROW_RIGHT)
        headings.append(page.text("#heading"))

    assert headings.count("eigh(m)") == 2
    assert headings[-1] == "The gradients"


# -- details --------------------------------------------------------------------------------------


def test_hovering_shows_all_digits_op_and_provider(show):
    """And goes away with the pointer."""
    x = Value(1.0 / 3.0).named("x")
    page = show(ops.tanh(x).named("y"))
    page.press(Keys.END)
    page.point_at(page.box("y"))
    text = page.text("#details")

    assert "tanh(x)" in text
    assert "0.32151273753163434" in text
    assert "core.tanh" in text
    assert "opgrad 0." in text
    page.point_at(page.element("h1"))
    assert not page.element("#details").is_displayed()


def test_attributes_are_among_the_details(show):
    """As the op was called with them."""
    x = Value(np.ones((2, 2))).named("x")
    page = show(ops.sum(ops.sum(x, axis=0).named("s")))
    page.press(Keys.END)
    page.point_at(page.box("s"))

    assert "axis\n0" in page.text("#details")


def test_a_click_keeps_the_details_and_leads_to_the_steps_of_the_value(show):
    """Forward and backward; a click beside it closes them."""
    out, names = course_example()
    page = show(out, names=names)
    page.box("d").click()
    page.elements("#details .jump button")[0].click()
    assert page.text("#heading") == "d = e + c"
    assert page.text("#place") == "3 of 9"
    page.elements("#details .jump button")[1].click()
    assert page.text("#place") == "7 of 9"
    page.element("#details h3 button").click()
    assert not page.element("#details").is_displayed()


# -- keyboard alone -------------------------------------------------------------------------------


def test_tab_leads_through_everything_in_the_order_it_is_seen(show):
    """The graph is one stop, however large it is."""
    out, names = course_example()
    page = show(out, names=names)
    page.slide(2)
    page.run("document.activeElement.blur()")
    order = []
    for _ in range(13):
        page.press(Keys.TAB)
        order.append(page.focused())

    assert order == [
        "d, computed, data 4", "closer", "farther", "fit", "first", "back", "play", "next", "last",
        "slider", "panel", "digits", "Source: forward of add",
    ]  # fmt: skip


def test_up_and_down_walk_the_graph_and_enter_opens_details(show):
    """Escape closes them, and the focus is where it was."""
    out, names = course_example()
    page = show(out, names=names)
    page.slide(2)
    page.run("document.querySelector('.node[tabindex=\"0\"]').focus()")
    page.press(Keys.ARROW_UP)
    assert page.focused() == "c, leaf, data 10"
    page.press(Keys.ENTER)
    assert page.text("#details h3").startswith("c")
    assert page.run("return document.activeElement.closest('#details') !== null")
    page.press(Keys.ESCAPE)

    assert not page.element("#details").is_displayed()
    assert page.focused() == "c, leaf, data 10"


def test_the_focus_can_be_seen(show):
    """By an outline, or by the frame of a box."""
    out, names = course_example()
    page = show(out, names=names)
    page.press(Keys.TAB)
    frame = "getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth"
    assert page.run(f"return {frame}") == "2.5px"
    page.press(Keys.TAB)
    outline = page.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_each_step_is_announced(show):
    """In a live region, as one sentence."""
    out, names = course_example()
    page = show(out, names={**names, "L": out})

    def said():
        return page.element("#said").get_attribute("textContent")

    page.slide(1)
    assert said() == "Forward, 1 of 3: e = a * b: e is -6"
    page.slide(7)
    assert said() == "Backward, 3 of 3: e = a * b: from e: 6 to a; -4 to b"
    assert page.element("#said").get_attribute("aria-live") == "polite"


def test_everything_to_press_has_a_name(show):
    """For those who do not see the picture."""
    page = show(course_example()[0])
    page.slide(6)
    nameless = page.run(
        "return [...document.querySelectorAll('button, input, [tabindex], [role]')]"
        ".filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim()))"
        ".map((e) => e.outerHTML)"
    )

    assert nameless == []


# -- large graphs ---------------------------------------------------------------------------------


def inside(page, selector):
    """Whether an element lies within the window of the graph."""
    return page.run(
        "const a = document.querySelector(arguments[0]).getBoundingClientRect();"
        "const b = document.getElementById('picture').getBoundingClientRect();"
        "return a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom",
        selector,
    )


def test_the_view_follows_the_step_in_a_graph_of_three_hundred_nodes(show):
    """A legible part of it, wherever the step is."""
    x = Value(0.5).named("x")
    for _ in range(150):
        x = ops.tanh(x * 1.01)
    page = show(x, **STILL)
    assert len(page.elements(".node.op")) == 300
    for at in (1, 150, 299, 450, 600):
        page.slide(at)
        assert inside(page, ".node.current:not(.op)")
        assert page.view()[0] >= 0.7
    page.press(Keys.END)
    assert page.text("#place") == "603 of 603"


def test_wheel_keys_and_buttons_zoom_and_a_drag_moves(show):
    """Zero shows all of it."""
    page = show(network(), **STILL)
    picture = page.element("#picture")
    before = page.view()[0]
    page.run(
        "arguments[0].dispatchEvent(new WheelEvent('wheel',"
        "{deltaY: -200, clientX: 300, clientY: 300, bubbles: true, cancelable: true}))",
        picture,
    )
    assert page.view()[0] > before
    page.press("-", "-", "-", "-", "-")
    assert page.view()[0] < before
    page.element("#closer").click()
    scale, x, y = page.view()
    drag = ActionChains(page.browser).move_to_element_with_offset(picture, 0, 250).click_and_hold()
    drag.move_by_offset(60, -40).release().perform()
    assert page.view() == pytest.approx([scale, x + 60, y - 40])
    page.press("0")
    assert inside(page, "#camera")


def test_a_folded_graph_says_so_and_is_stepped_fold_by_fold(show):
    """Ten thousand nodes in a few steps."""
    y = Value(0.5).named("x")
    for _ in range(5000):
        y = ops.tanh(y * 1.0001)
    page = show(y)
    assert "is one step here" in page.text("#notes")
    total = int(page.text("#place").rpartition(" ")[2])
    headings = []
    for _ in range(total - 1):
        page.press(Keys.ARROW_RIGHT)
        headings.append(page.text("#heading"))

    assert total < 40
    assert headings[-1] == "The gradients"


# -- phone, dark, still ---------------------------------------------------------------------------


def test_nothing_is_wider_than_a_phone(show):
    """At any step, with numbers at full length and long names."""
    long = "a_rather_long_name_for_a_value_that_somebody_chose"
    x = Value(np.full((2, 3), 1.0 / 3.0)).named(long)
    w = Value(np.full((3, 2), -123456.789)).named("w")
    page = show(ops.sum(ops.tanh(x @ w)) * 1e-8, window=PHONE)
    page.element("#digits").click()
    for at in range(int(page.text("#place").rpartition(" ")[2])):
        page.slide(at)
        assert page.run("return document.documentElement.scrollWidth") == 375
        assert page.run("return panel.scrollWidth - panel.clientWidth") == 0


def test_on_a_phone_the_panel_is_below_and_targets_fit_a_finger(show):
    """At least 40 px each way."""
    page = show(course_example()[0], window=PHONE)
    page.slide(6)
    page.element(".node.current:not(.op)").click()
    small = page.run(
        "return [...document.querySelectorAll('button, input')].map((e) => [e.id || e.textContent,"
        "e.getBoundingClientRect()]).filter(([, r]) => r.width && (r.width < 40 || r.height < 40))"
    )
    below = page.run(
        "return panel.getBoundingClientRect().top >= graph.getBoundingClientRect().bottom"
    )

    assert small == []
    assert below


def test_two_fingers_zoom(show):
    """By as much as they part, and what lies between them stays there."""
    page = show(course_example()[0], window=PHONE)
    before = page.view()

    def touch(kind, *points):
        touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        event = {"type": kind, "touchPoints": touches}
        page.browser.execute_cdp_cmd("Input.dispatchTouchEvent", event)

    touch("touchStart", (150, 180))
    touch("touchStart", (150, 180), (200, 180))
    for spread in (10, 20, 30, 40):
        touch("touchMove", (150 - spread, 180), (200 + spread, 180))
    touch("touchEnd")

    scale, x, _ = page.view()
    assert scale == pytest.approx(before[0] * 130 / 50)
    assert (175 - x) / scale == pytest.approx((175 - before[1]) / before[0], abs=2)


def test_dark_mode_is_dark(show):
    """Paper and ink change places, and text stays legible."""

    def luminance():
        colours = page.run(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        )
        return [sum(map(int, colour[4:-1].split(","))) / 765 for colour in colours]

    out, names = course_example()
    page = show(out, names=names, **{"color-scheme": "light"})
    light = luminance()
    page = show(out, names=names, **{"color-scheme": "dark"})
    dark = luminance()

    assert light[0] - light[1] > 0.7
    assert dark[1] - dark[0] > 0.7


@pytest.mark.parametrize(("motion", "lasts"), [("no-preference", "0.28s"), ("reduce", "0s")])
def test_the_view_glides_but_not_for_those_who_asked_for_less_motion(show, motion, lasts):
    """Then it is there at once."""
    page = show(network(), **{"reduced-motion": motion})
    page.slide(40)

    assert page.run("return getComputedStyle(camera).transitionDuration") == lasts


# -- safety ---------------------------------------------------------------------------------------


def test_names_are_shown_and_never_run(show):
    """Whatever they hold."""
    name = "</script><img src=x onerror=alert()>"
    page = show((Value(2.0).named("<b>x</b>") * 3.0).named(name))
    page.press(Keys.END)

    assert name in page.browser.title
    assert page.elements("img") == []
    assert page.rows()[0][0] == f"∂{name}/∂<b>x</b>"


def test_styles_and_scripts_from_elsewhere_are_refused(show):
    """By the policy of the page itself."""
    page = show(course_example()[0])
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.ran = true';"
        "document.body.append(s)"
    )
    ran = page.run("return window.ran === true")
    page.browser.get_log("browser")  # it says there what it refused

    assert not ran
