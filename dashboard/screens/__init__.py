"""The pages: one module each, one `page()` in each.

Not called `pages`: Streamlit serves a folder of that name beside app.py by file, so that the first visitor of a fresh
process who follows a link to /group would get an empty page instead of the navigation.
"""
