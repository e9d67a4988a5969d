"""`python -m streamlit run dashboard/app.py`: the navigation and nothing else."""

from __future__ import annotations

import streamlit as st

from dashboard import roles
from dashboard.panels import group_page
from dashboard.screens import explorer, groups, health, overview, sign_in

st.set_page_config(page_title="why401", page_icon="🔑", layout="wide")
sql = st.Page(explorer.page, title="SQL", icon=":material/database_search:", url_path="sql")
role = roles.current()
if role is roles.Role.NOBODY:
    st.navigation([st.Page(sign_in.page, title="Log in", url_path="login", default=True)], position="hidden").run()
    st.stop()
st.navigation(
    [
        st.Page(overview.page, title="Overview", icon=":material/monitoring:", url_path="overview", default=True),
        st.Page(groups.page, title="Groups", icon=":material/list_alt:", url_path="groups"),
        group_page(),
        st.Page(health.page, title="Pipeline", icon=":material/conveyor_belt:", url_path="health"),
        *([sql] if role is roles.Role.OPERATOR else []),
        *(
            [st.Page(sign_in.leave, title="Log out", icon=":material/logout:", url_path="logout")]
            if roles.person()
            else []
        ),
    ],
    position="top",
).run()
