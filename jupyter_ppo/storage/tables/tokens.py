"""What programs sign in with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_ppo.domain.api_tokens import TokenAccess
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.storage.tables.base import Base, enum_column


class ApiTokenRow(Base):
    """A token of a person for one course; ``digest`` is the SHA-256 of its secret.

    A token is rotated once at most.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (CheckConstraint("uses >= 0", name="uses"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user: Mapped[str] = mapped_column(String(255), index=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"))
    access: Mapped[TokenAccess] = mapped_column(enum_column(TokenAccess, "access"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    uses: Mapped[int]
    revoked_at: Mapped[datetime | None]
    rotated_from: Mapped[UUID | None] = mapped_column(ForeignKey("api_tokens.id"), unique=True)
