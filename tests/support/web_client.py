"""Plain HTTP for tests: one request with every header in our hands, and a person's browser without JavaScript that
keeps cookies, reads forms and submits them."""

import html.parser
import http.client
import urllib.parse


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # http.client.HTTPMessage: names in any letter case
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8")


def request(port, method, path, body=None, headers=None, timeout=30, host=None):
    """`headers` stand beside Host and, with a body, Content-Length; `host` replaces Host's value."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or f"127.0.0.1:{port}")
        if isinstance(body, str):
            body = body.encode("utf-8")
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return Response(answer.status, answer.msg, answer.read())
    finally:
        connection.close()


class Form:
    def __init__(self, action, method):
        self.action = action
        self.method = method
        self.fields = {}     # name → value as it stands in the page
        self.types = {}      # name → type
        self.button = ""     # the text of its button


class _PageParser(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms, self.links, self.references, self.text = [], [], [], []
        self.language, self.title = "", ""
        self._open = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        for name in ("href", "src", "action", "data", "poster"):
            if attributes.get(name):
                self.references.append((tag, attributes[name]))
        if tag == "html":
            self.language = attributes.get("lang", "")
        elif tag == "a":
            self.links.append(attributes.get("href", ""))
        elif tag == "form":
            self.forms.append(Form(attributes.get("action", ""), attributes.get("method", "get")))
        elif tag == "input" and self.forms and attributes.get("name"):
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
            self.forms[-1].types[attributes["name"]] = attributes.get("type", "text")
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "title" in self._open:
            self.title += data
            return
        if "button" in self._open and self.forms:
            self.forms[-1].button += data.strip()
        if not {"style", "script"} & set(self._open):
            self.text.append(data)


class Page:
    """What a person sees: the text, the forms, where the links go."""

    def __init__(self, response, url):
        self.response = response
        self.status = response.status
        self.headers = response.headers
        self.url = url
        parser = _PageParser()
        parser.feed(response.text)
        self.forms = parser.forms
        self.links = parser.links
        self.references = parser.references
        self.language = parser.language
        self.title = parser.title.strip()
        self.text = " ".join(" ".join(parser.text).split())

    def form(self, ending):
        """The form whose action ends so, or nothing."""
        return next((form for form in self.forms if form.action.endswith(ending)), None)


class Person:
    def __init__(self, port, language="en", user_agent="a test's browser"):
        self._port = port
        self._headers = {"Accept": "text/html", "Accept-Language": language, "User-Agent": user_agent}
        self.cookies = {}

    def open(self, url, method="GET", **extra):
        return self._go(method, url, None, extra)

    def submit(self, page, ending, values=None, headers=None):
        """Fills in a form of `page` and sends it, as a browser would: with Origin and the hidden fields."""
        form = page.form(ending)
        assert form is not None, f"no form for {ending} on {page.url} ({page.status}): {page.text}"
        fields = {**form.fields, **(values or {})}
        body = urllib.parse.urlencode({name: value for name, value in fields.items() if value is not None})
        parts = urllib.parse.urlsplit(page.url)
        own = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"{parts.scheme}://{parts.netloc}",
               "Sec-Fetch-Site": "same-origin", "Referer": f"{parts.scheme}://{parts.netloc}/"}
        own.update(headers or {})
        target = urllib.parse.urljoin(page.url, form.action)
        return self._go("POST", target, body, {name: value for name, value in own.items() if value is not None})

    def _go(self, method, url, body, headers):
        parts = urllib.parse.urlsplit(url)
        path = parts.path + ("?" + parts.query if parts.query else "")
        all_headers = {**self._headers, **headers}
        if self.cookies:
            all_headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = request(self._port, method, path, body, all_headers, host=parts.netloc)
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name.strip()] = value.strip()
        if response.status == 303 and method == "POST":
            return self.open(urllib.parse.urljoin(url, response.headers["Location"]))
        return Page(response, url)
