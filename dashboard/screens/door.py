"""What is seen before one is in: the way to log in, or a plain refusal."""

from __future__ import annotations

import streamlit as st

from dashboard import config, roles, wording


def page() -> None:
    """Draw it. Nothing of the store is read here."""
    login = config.settings().dashboard.login
    claims = roles.person()
    st.header("why401", anchor=False)
    if not claims:
        st.text("Log in to see why the gateway said no.")
        st.button("Log in", on_click=st.login, type="primary", icon=":material/login:")
        return
    name = wording.visible(claims.get("email") or claims.get("name") or claims.get("sub") or "somebody", 200)
    if roles.role_of(claims, login) is not roles.Role.NOBODY:
        st.text(f"Your login as {name} is over.")
        st.button("Log in again", on_click=st.login, type="primary", icon=":material/login:")
        return
    st.error("You have no role here.", icon=":material/block:")
    st.text(
        f"You are logged in as {name}. Who runs this page can add you to viewers or operators of [dashboard.login]."
    )
    st.button("Log out", on_click=st.logout, icon=":material/logout:")


def leave() -> None:
    """The last entry of the menu."""
    st.logout()
