"""What the examples of the schema show: one room, one booking, one user, the same everywhere."""

TOKEN = "9f3c1a7e5b2d4860c1e9a7b3d5f20418e6c4a2b0"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiNyJ9.c2lnbmF0dXJl"

SLOT = {"start_time": "2030-01-31T09:00:00Z", "end_time": "2030-01-31T10:00:00Z"}
CONFLICT = {"start_time": "2030-01-31T09:30:00Z", "end_time": "2030-01-31T10:30:00Z"}
LATER_SLOT = {"start_time": "2030-01-31T10:30:00Z", "end_time": "2030-01-31T11:30:00Z"}

RESOURCE = {
    "id": 3,
    "name": "Blue room",
    "description": "Second floor, with a screen.",
    "capacity": 8,
    "is_available": True,
    "requires_approval": False,
    "availability_status": "available",
}
NEW_RESOURCE = {
    name: RESOURCE[name] for name in ("name", "description", "capacity", "is_available", "requires_approval")
}

BOOKING = {
    "id": 41,
    "user": 7,
    "username": "alice",
    "resource": 3,
    "resource_name": "Blue room",
    **SLOT,
    "status": "confirmed",
    "notes": "Weekly planning",
    "created_at": "2030-01-24T08:15:30.123456Z",
    "updated_at": "2030-01-24T08:15:30.123456Z",
}
NEW_BOOKING = {"resource": 3, **SLOT, "notes": "Weekly planning"}

USER = {"id": 7, "username": "alice", "email": "alice@example.org", "first_name": "Alice", "last_name": "Archer"}
ACCOUNT = {**USER, "is_staff": False, "is_active": True, "profile_picture": None}
PASSWORD = "correct-horse-9-battery"
REGISTRATION = {**{name: USER[name] for name in ("username", "email", "first_name", "last_name")}, "password": PASSWORD}

PICTURE = {"profile_picture": "https://images.example.org/alice.png", "cloudinary_public_id": "people/alice"}

CALENDAR = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

TIMELINE = {
    "busy": [{**SLOT, "status": "confirmed", "id": 41}],
    "free": [LATER_SLOT],
    "next_free": "2030-01-31T10:00:00Z",
}
FIRST_SLOT = {"resource": 3, "resource_name": "Blue room", "capacity": 8, **SLOT}

ROOT = {
    "resources": "https://booking.example.org/api/resources/",
    "bookings": "https://booking.example.org/api/bookings/",
    "users": "https://booking.example.org/api/auth/users/",
    "me": "https://booking.example.org/api/auth/users/me/",
    "token_login": "https://booking.example.org/api/auth/token/login/",
    "profile_picture": "https://booking.example.org/api/profile/picture/",
}
