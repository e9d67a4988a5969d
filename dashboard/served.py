"""What `streamlit run` serves: the page of app.py behind its guard."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit
from starlette.middleware import Middleware
from streamlit import App

from dashboard import config, warm
from dashboard.page_guard import Guard, headers, names

PAGE: Final = Path(streamlit.__file__).with_name("static") / "index.html"
guard = Middleware(Guard, names=names(config.settings()), headers=headers(PAGE))
warm.begin()
app = App(Path(__file__).with_name("app.py"), middleware=[guard])
