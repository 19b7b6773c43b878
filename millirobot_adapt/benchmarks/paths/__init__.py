"""Walk generated paths on the mock and judge the walks without the controller's own notion of progress."""
