"""The page before login: a login button, or a plain refusal."""

from __future__ import annotations

import streamlit as st

from dashboard import config, roles, wording


def page() -> None:
    """Draw it. Nothing is read from the store here."""
    login = config.settings().dashboard.login
    claims = roles.person()
    st.header("why401", anchor=False)
    if not claims:
        st.text("Log in to see why the gateway said no.")
        st.button("Log in", on_click=st.login, type="primary", icon=":material/login:")
        return
    name = wording.visible(claims.get("email") or claims.get("name") or claims.get("sub") or "unknown user", 200)
    if roles.role_of(claims, login) is not roles.Role.NOBODY:
        st.text(f"Your session as {name} has expired.")
        st.button("Log in again", on_click=st.login, type="primary", icon=":material/login:")
        return
    st.error("You do not have access to this page.", icon=":material/block:")
    st.text(
        f"You are logged in as {name}. Ask an administrator to add you to viewers or operators in [dashboard.login]."
    )
    st.button("Log out", on_click=st.logout, icon=":material/logout:")


def leave() -> None:
    """The last entry of the menu."""
    st.logout()
