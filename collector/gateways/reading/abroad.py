"""Refusals in other languages than English: products translate their messages, and the learned vocabulary knows English words only.

A text counts when it names a credential or access and says that something is wrong with it, both in words of these lists. A word stands for
all that begin with it, in lower case; Chinese, Japanese and Korean words stand anywhere.
"""

from __future__ import annotations

from typing import Final

from ahocorasick_rs import AhoCorasick

_READ_CHARS: Final = 2048
# Words that are of one language here: what is also English ("expire", "token", "invalid") is left to admission.py, but for subjects.
_SUBJECTS: Final = (
    "token", "jwt", "bearer", "oauth", "scope", "audience", "issuer", "api key", "api-key", "401", "403",
    "anmeld", "authentifizier", "autorisier", "berechtig", "zugriff", "zugang", "signatur", "aussteller", "zertifikat", "schlüssel", "schluessel",
    "jeton", "authentif", "autoris", "accès", "acces ", "signature", "émetteur", "emetteur", "clé", "habilit",
    "autentic", "autoriz", "acceso", "firma", "emisor", "clave", "credencia", "permiso", "permiss", "acesso", "assinatura", "emissor", "chave",
    "accesso", "autentific", "emittente", "chiave", "credenzial", "toegang", "handtekening", "sleutel", "uitgever", "machtig",
    "dostęp", "podpis", "uwierzyteln", "wystawc", "klucz", "uprawnie",
    "токен", "доступ", "подпис", "авториз", "аутентиф", "издател", "ключ", "erişim", "imza", "anahtar", "kimlik doğrulama", "yetki",
    "令牌", "签名", "签发", "认证", "授权", "鉴权", "访问", "密钥", "权限", "トークン", "署名", "認証", "認可", "アクセス", "発行者", "権限",
    "토큰", "서명", "인증", "권한", "발급자", "액세스",
)  # fmt: skip
_FAULTS: Final = (
    "abgelaufen", "ungültig", "ungueltig", "fehlgeschlagen", "fehlt", "fehlend", "verweiger", "abgelehnt", "zurückgewiesen", "unbekannt", "gesperrt", "widerrufen",
    "nicht ", "kein", "fehlerhaft", "unzulässig",
    "expiré", "expirée", "invalide", "refusé", "échou", "échec", "manquant", "inconnu", "révoqu", "n'est pas", "ne correspond", "aucun", "non autorisé", "rejeté", "incorrecte", "est absent", "absente",
    "expirado", "expirada", "caducad", "vencid", "inválid", "denegad", "rechazad", "falta", "desconocid", "revocad", "no es ", "no se ", "no coincide", "no está", "no tiene",
    "expirou", "expirad", "negad", "recusad", "ausente", "não ", "nao ", "revogad", "incorret",
    "scadut", "negato", "negata", "mancant", "rifiutat", "non valid", "non è", "non corrisponde", "revocat", "sconosciut",
    "verlopen", "ongeldig", "geweigerd", "ontbreekt", "niet ", "geen ", "ingetrokken", "onbekend",
    "wygas", "nieprawidłow", "odmow", "odmówi", "odrzucon", "brak ", "brakuj", "nieznan", "nie jest", "nieważn",
    "истек", "истёк", "недейств", "отказ", "неверн", "отсутств", "запрещ", "отклон", "неизвест", "не соответств", "не найден", "отозван", "просроч",
    "süresi dol", "geçersiz", "reddedil", "eksik", "bilinmeyen", "bulunamad", "uyuşm", "iptal",
    "过期", "无效", "失败", "拒绝", "缺少", "不匹配", "未授权", "未认证", "未找到", "不正确", "非法", "禁止", "不存在", "已撤销", "不足", "没有",
    "期限切れ", "有効期限", "無効", "失敗", "拒否", "不正", "一致しません", "ありません", "見つかりません", "不足", "失効", "できません",
    "만료", "유효하지", "실패", "거부", "일치하지", "없습니다", "없음", "잘못된", "부족", "취소",
)  # fmt: skip
_FIND_SUBJECTS: Final = AhoCorasick(_SUBJECTS)
_FIND_FAULTS: Final = AhoCorasick(_FAULTS)


def refuses_abroad(message: str) -> bool:
    """Whether a text reports a refused credential in one of these languages.

    >>> refuses_abroad("Das JWT ist abgelaufen"), refuses_abroad("el token no es válido"), refuses_abroad("令牌已过期")
    (True, True, True)
    >>> refuses_abroad("Das JWT wurde ausgestellt"), refuses_abroad("Datei fehlt")
    (False, False)
    """
    low = _low(message)
    return _begins_word(_FIND_FAULTS, low) and _begins_word(_FIND_SUBJECTS, low)


def reports_fault(message: str) -> bool:
    """Whether a text says that something is wrong, with whatever it is, in one of these languages."""
    return _begins_word(_FIND_FAULTS, _low(message))


def _low(message: str) -> str:
    return message[:_READ_CHARS].lower().encode("utf-8", "replace").decode()


def _begins_word(words: AhoCorasick, low: str) -> bool:
    found = words.find_matches_as_indexes(low, overlapping=True)
    return any(not low[at - 1 : at].isalpha() or not at or low[at] > "\u2fff" for _, at, _ in found)
