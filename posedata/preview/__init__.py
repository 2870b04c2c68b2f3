"""Pictures of a store: contact sheets, films, and a page with a slider."""
