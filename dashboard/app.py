"""`python -m streamlit run dashboard/app.py`: the navigation and nothing else."""

from __future__ import annotations

import streamlit as st

from dashboard.panels import group_page
from dashboard.screens import explorer, groups, health, overview

st.set_page_config(page_title="why401", page_icon="🔑", layout="wide")
st.navigation(
    [
        st.Page(overview.page, title="Overview", icon=":material/monitoring:", url_path="overview", default=True),
        st.Page(groups.page, title="Groups", icon=":material/list_alt:", url_path="groups"),
        group_page(),
        st.Page(health.page, title="Pipeline", icon=":material/conveyor_belt:", url_path="health"),
        st.Page(explorer.page, title="SQL", icon=":material/database_search:", url_path="sql"),
    ],
    position="top",
).run()
