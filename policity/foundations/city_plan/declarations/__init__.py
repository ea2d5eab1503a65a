"""What the room shows to everybody: plans, and what residents are asked of them and answered."""

from policity.foundations.city_plan.declarations import comments, plans

PAGES = (*plans.PAGES, *comments.PAGES)
FADES = comments.FADES
