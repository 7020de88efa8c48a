"""Chat robots of DingTalk, Feishu, WeCom and Slack, and a webhook of one's own, under ``/_chat/SERVICE/``.

Strict as the services are: signature, keyword, form, size and rate are judged, and most say no inside HTTP 200.
"""
