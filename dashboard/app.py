"""`python -m streamlit run dashboard/app.py`: the navigation and nothing else."""

from __future__ import annotations

import streamlit as st

from dashboard import roles
from dashboard.panels import group_page, groups_page
from dashboard.screens import explore, health, inspector, issuers, overview, sign_in, sql

st.set_page_config(page_title="why401", page_icon="🔑", layout="wide")
adhoc = st.Page(sql.page, title="SQL", icon=":material/database_search:", url_path="sql")
role = roles.current()
if role is roles.Role.NOBODY:
    st.navigation([st.Page(sign_in.page, title="Log in", url_path="login", default=True)], position="hidden").run()
    st.stop()
st.navigation(
    [
        st.Page(overview.page, title="Overview", icon=":material/monitoring:", url_path="overview", default=True),
        groups_page(),
        group_page(),
        st.Page(explore.page, title="Explore", icon=":material/search_insights:", url_path="explore"),
        st.Page(issuers.page, title="Issuers and keys", icon=":material/key:", url_path="issuers"),
        st.Page(inspector.page, title="Inspector", icon=":material/troubleshoot:", url_path="inspector"),
        st.Page(health.page, title="Pipeline", icon=":material/conveyor_belt:", url_path="health"),
        *([adhoc] if role is roles.Role.OPERATOR else []),
        *(
            [st.Page(sign_in.leave, title="Log out", icon=":material/logout:", url_path="logout")]
            if roles.person()
            else []
        ),
    ],
    position="top",
).run()
