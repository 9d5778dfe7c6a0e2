"""Web API: what an app says and shows. Messages, views and files, with Slack's limits."""

import json
from typing import Any

from sandbox.cast import Workspace
from sandbox.slack.blocks import problems_in_blocks, problems_in_view
from sandbox.slack.state import APP_ID, SlackError, SlackState, Upload

Json = dict[str, Any]


def _structured(arguments: Json, name: str) -> Any:
    """An argument that is JSON: as it is in a JSON body, as text in a form. Raises SlackError."""
    value = arguments.get(name)
    if isinstance(value, str):
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError("invalid_arguments", [f"[ERROR] {name} is not JSON [json-pointer:/{name}]"]) from None
    return value


def checked_content(arguments: Json) -> Json:
    """Text, blocks and metadata of a message, checked. Raises SlackError no_text, invalid_blocks, msg_too_long."""
    blocks = _structured(arguments, "blocks")
    text = arguments.get("text") or ""
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > 40_000:
        raise SlackError("msg_too_long")
    if blocks is not None:
        found = problems_in_blocks(blocks)
        if found:
            raise SlackError("invalid_blocks", found)
    content: Json = {"text": text}
    if blocks:
        content["blocks"] = blocks
    metadata = _structured(arguments, "metadata")
    if metadata:
        if set(metadata) - {"event_type", "event_payload"} or "event_type" not in metadata:
            raise SlackError("invalid_metadata_schema")
        content["metadata"] = metadata
    return content


class TalkApi:
    """The methods that make something appear in front of people."""

    def __init__(self, state: SlackState, base_url: str) -> None:
        self.state = state
        self.base_url = base_url

    # --- messages ---

    def chat_post_message(self, workspace: Workspace, arguments: Json) -> Json:
        channel = self.state.place(workspace, str(arguments.get("channel")), posting=True)
        owner = self.state.dm_owner(channel)
        if owner is not None and self.state.user(owner).deleted:
            raise SlackError("is_inactive")
        content = checked_content(arguments)
        if arguments.get("thread_ts"):
            content["thread_ts"] = str(arguments["thread_ts"])
        message = self.state.post(channel, self._from_app(workspace) | content)
        return {"ok": True, "channel": channel, "ts": message["ts"], "message": message}

    def _from_app(self, workspace: Workspace) -> Json:
        return {"user": workspace.bot_user_id, "bot_id": workspace.bot_id, "app_id": APP_ID, "team": workspace.id}

    def chat_post_ephemeral(self, workspace: Workspace, arguments: Json) -> Json:
        channel = self.state.place(workspace, str(arguments.get("channel")), posting=True)
        user = str(arguments.get("user"))
        place = workspace.channels.get(channel)
        if user not in workspace.users or (place is not None and user not in place.members):
            raise SlackError("user_not_in_channel")
        message = self.ephemeral(channel, user, checked_content(arguments))
        return {"ok": True, "message_ts": message["ts"]}

    def ephemeral(self, channel: str, user_id: str, content: Json) -> Json:
        """Show something to one person only."""
        workspace = self.state.workspace_of(user_id)
        return self.state.post(
            channel, self._from_app(workspace) | content | {"ephemeral": True, "ephemeral_to": user_id}
        )

    def chat_update(self, workspace: Workspace, arguments: Json) -> Json:
        channel = self.state.place(workspace, str(arguments.get("channel")))
        message = self.state.find(channel, str(arguments.get("ts")))
        if message.get("bot_id") != workspace.bot_id or message.get("ephemeral"):
            raise SlackError("cant_update_message")
        content = checked_content(arguments)
        if "blocks" not in content:
            message.pop("blocks", None)
        message.update(content)
        message["edited"] = {"user": workspace.bot_user_id, "ts": self.state.ts()}
        self.state.changed()
        return {"ok": True, "channel": channel, "ts": message["ts"], "text": message["text"], "message": message}

    def chat_delete(self, workspace: Workspace, arguments: Json) -> Json:
        channel = self.state.place(workspace, str(arguments.get("channel")))
        message = self.state.find(channel, str(arguments.get("ts")))
        if message.get("bot_id") != workspace.bot_id or message.get("ephemeral"):
            raise SlackError("cant_delete_message")
        self.state.remove(channel, message["ts"])
        return {"ok": True, "channel": channel, "ts": arguments.get("ts")}

    def chat_get_permalink(self, workspace: Workspace, arguments: Json) -> Json:
        channel = self.state.place(workspace, str(arguments.get("channel")))
        ts = self.state.find(channel, str(arguments.get("message_ts")))["ts"]
        return {"ok": True, "channel": channel, "permalink": f"{self.base_url}/#{channel}/p{ts.replace('.', '')}"}

    # --- views ---

    def _checked_view(self, arguments: Json, kind: str) -> Json:
        view = _structured(arguments, "view")
        found = problems_in_view(view)
        if found:
            raise SlackError("invalid_arguments", found)
        if view["type"] != kind:
            raise SlackError("invalid_arguments", [f"[ERROR] must be {kind} [json-pointer:/view/type]"])
        checked: Json = view
        return checked

    def views_open(self, workspace: Workspace, arguments: Json) -> Json:
        view = self._checked_view(arguments, "modal")
        user_id = self._trigger_user(workspace, arguments)
        full = self.state.new_view(view, user_id)
        self.state.views[user_id] = [full]
        self.state.changed()
        return {"ok": True, "view": full}

    def _trigger_user(self, workspace: Workspace, arguments: Json) -> str:
        user_id = self.state.use_trigger(str(arguments.get("trigger_id")))
        if self.state.user(user_id).team_id != workspace.id:
            raise SlackError("invalid_trigger_id")
        return user_id

    def views_push(self, workspace: Workspace, arguments: Json) -> Json:
        view = self._checked_view(arguments, "modal")
        user_id = self._trigger_user(workspace, arguments)
        return {"ok": True, "view": self.push(user_id, view)}

    def push(self, user_id: str, view: Json) -> Json:
        """Put a view on top of a person's stack. Raises SlackError push_limit_reached."""
        stack = self.state.views.get(user_id) or []
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= 3:
            raise SlackError("push_limit_reached")
        full = self.state.new_view(view, user_id, stack[0]["id"])
        full["previous_view_id"] = stack[-1]["id"]
        stack.append(full)
        self.state.changed()
        return full

    def views_update(self, workspace: Workspace, arguments: Json) -> Json:
        view = self._checked_view(arguments, "modal")
        user_id, current = self.state.view(str(arguments.get("view_id") or arguments.get("external_id")))
        if self.state.user(user_id).team_id != workspace.id:
            raise SlackError("not_found")
        if arguments.get("hash") and arguments["hash"] != current["hash"]:
            raise SlackError("hash_conflict")
        self.replace(current, view)
        return {"ok": True, "view": current}

    def replace(self, current: Json, view: Json) -> None:
        """Put new contents into a view; what a person has chosen stays where block and action ids do."""
        for name in ("submit", "close"):
            current[name] = None
        current.pop("errors", None)
        current.update(view)
        self.state.freshen(current)

    def views_publish(self, workspace: Workspace, arguments: Json) -> Json:
        view = self._checked_view(arguments, "home")
        user_id = str(arguments.get("user_id"))
        if user_id not in workspace.users:
            raise SlackError("user_not_found")
        current = self.state.homes.get(user_id)
        if current is not None and arguments.get("hash") and arguments["hash"] != current["hash"]:
            raise SlackError("hash_conflict")
        if current is None:
            current = self.state.homes[user_id] = self.state.new_view(view, user_id)
        else:
            self.replace(current, view)
        self.state.changed()
        return {"ok": True, "view": current}

    # --- files ---

    def files_get_upload_url_external(self, _: Workspace, arguments: Json) -> Json:
        name = str(arguments.get("filename") or "")
        try:
            length = int(arguments.get("length") or 0)
        except ValueError:
            raise SlackError("invalid_arguments") from None
        if not name or not 0 < length <= 50 * 1024 * 1024:
            raise SlackError("invalid_arguments")
        upload = Upload(self.state.new_id("F"), name, length)
        self.state.uploads[upload.id] = upload
        return {"ok": True, "upload_url": f"{self.base_url}/upload/{upload.id}", "file_id": upload.id}

    def files_complete_upload_external(self, workspace: Workspace, arguments: Json) -> Json:
        wanted = _structured(arguments, "files") or []
        channels = [
            part for part in str(arguments.get("channels") or arguments.get("channel_id") or "").split(",") if part
        ]
        places = [self.state.place(workspace, channel, posting=True) for channel in channels]
        done = []
        for part in wanted:
            upload = self.state.uploads.get(part.get("id"))
            if upload is None or len(upload.content) != upload.length:
                raise SlackError("file_not_found")
            done.append(self._file(workspace, upload, part.get("title")))
        comment = arguments.get("initial_comment") or ""
        blocks = None if comment else _structured(arguments, "blocks")  # Slack ignores blocks beside a comment
        if blocks is not None and (found := problems_in_blocks(blocks)):
            raise SlackError("invalid_blocks", found)
        for place in places:
            message = self._from_app(workspace) | {"text": comment, "files": done, "upload": True}
            if blocks:
                message["blocks"] = blocks
            if arguments.get("thread_ts"):
                message["thread_ts"] = str(arguments["thread_ts"])
            posted = self.state.post(place, message)
            for file in done:
                file["shares"] = {"private": {place: [{"ts": posted["ts"]}]}}
        return {"ok": True, "files": done}

    def _file(self, workspace: Workspace, upload: Upload, title: str | None) -> Json:
        is_pdf = upload.content.startswith(b"%PDF")
        file: Json = {
            "id": upload.id,
            "created": self.state.clock.timestamp(),
            "timestamp": self.state.clock.timestamp(),
            "name": upload.name,
            "title": title or upload.name,
            "mimetype": "application/pdf" if is_pdf else "application/octet-stream",
            "filetype": "pdf" if is_pdf else "binary",
            "pretty_type": "PDF" if is_pdf else "Binary",
            "user": workspace.bot_user_id,
            "size": upload.length,
            "mode": "hosted",
            "is_external": False,
            "url_private": f"{self.base_url}/files/{upload.id}",
            "url_private_download": f"{self.base_url}/files/{upload.id}?download=1",
            "permalink": f"{self.base_url}/files/{upload.id}",
            "channels": [],
            "ims": [],
        }
        self.state.files[upload.id] = file
        self.state.file_contents[upload.id] = upload.content
        return file

    def files_info(self, _: Workspace, arguments: Json) -> Json:
        file = self.state.files.get(str(arguments.get("file")))
        if file is None:
            raise SlackError("file_not_found")
        return {"ok": True, "file": file}

    def files_list(self, workspace: Workspace, arguments: Json) -> Json:
        place = arguments.get("channel")
        found = [
            file
            for file in self.state.files.values()
            if file["user"] == workspace.bot_user_id
            and (not place or place in file.get("shares", {}).get("private", {}))
        ]
        paging = {"count": 100, "total": len(found), "page": 1, "pages": 1}
        return {"ok": True, "files": found[::-1], "paging": paging}
