"""Whether the service lives, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from warmstart import __version__
from warmstart.serve.api_data import Serving
from warmstart.serve.security import require

router = APIRouter()


@router.get("/health/live", summary="Whether the process answers")
async def live() -> dict[str, str]:
    """Always, while it runs."""
    return {"status": "live", "warmstart": __version__}


@router.get("/health/ready", summary="Whether the model is loaded and the store can be reached", responses={503: {}})
def ready(service: Serving, response: Response) -> dict[str, object]:
    """503 names what is wrong; without the store recommendations still come, without what it knows."""
    wrong = service.ready()
    if wrong:
        response.status_code = 503
    return {"status": "degraded" if wrong else "ready", "wrong": sorted(wrong)}


@router.get("/metrics", summary="Figures for Prometheus", dependencies=[Depends(require("read"))])
def metrics(request: Request, service: Serving) -> Response:
    """Requests, latencies, answers by slice and fallback, events, the queue, the model."""
    figures = request.app.state.metrics
    figures.queue(len(service.writer))
    body, media = figures.render()
    return Response(body, media_type=media)
