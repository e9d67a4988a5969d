"""Messages that nothing explains, mined into templates, and templates turned into knowledge (docs/decisions/0009).

>>> found = mine([Message("tenant 'acme' is asleep", "kong"), Message("tenant 'bolt' is asleep", "kong")])
>>> [(template.pattern, template.records) for template in found]
[("tenant '{tenant:word}' is asleep", 2)]
"""

from __future__ import annotations

from analyzer.templates.mine import MAX_MESSAGES, Message, Template, mine

__all__ = ["MAX_MESSAGES", "Message", "Template", "mine"]
