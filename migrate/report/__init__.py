"""The result of a run and its renderings: text, JSON, Markdown, HTML, SARIF."""
