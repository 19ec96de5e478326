"""Every page of the site; portal/access.py says who may open which."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from portal import views
from portal.admin_site import hides

admin.autodiscover()
admin.site.login = hides(secure_admin_login(admin.site.login))  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("my/", views.my, name="my"),
    path("enter/<str:token>/", views.enter, name="enter"),
    path("demo/mail/", views.demo_mail, name="demo_mail"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:name>/", views.help_topic, name="help_topic"),
    path("healthz", views.healthz, name="healthz"),
    path("applications/<slug:public_id>/", views.application, name="application"),
    path("", include("grants.urls")),
    path("", include("allocation.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
