from policity.fields.alerts.services.ingest import Ingested, expire, ingest

__all__ = ["Ingested", "expire", "ingest"]
