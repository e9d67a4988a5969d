SELECT subject, until, author, note FROM silences WHERE until > now() ORDER BY until
